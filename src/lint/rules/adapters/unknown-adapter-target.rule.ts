import { plannerRule } from "../../planner-rule.js";

export default plannerRule("unknown-adapter-target", "inputs");
