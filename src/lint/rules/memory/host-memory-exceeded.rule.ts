import { plannerRule } from "../../planner-rule.js";

export default plannerRule("host-memory-exceeded", "inputs");
