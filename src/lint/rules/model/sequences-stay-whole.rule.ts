import { plannerRule } from "../../planner-rule.js";

export default plannerRule("sequences-stay-whole", "inputs");
