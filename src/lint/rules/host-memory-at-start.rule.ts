import { plannerRule } from "../planner-rule.js";

export default plannerRule("host-memory-at-start", "inputs");
