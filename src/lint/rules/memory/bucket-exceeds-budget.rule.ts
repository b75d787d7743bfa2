import { plannerRule } from "../../planner-rule.js";

export default plannerRule("bucket-exceeds-budget", "inputs");
