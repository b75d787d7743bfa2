import { plannerRule } from "../../planner-rule.js";

export default plannerRule("states-exceed-budget", "inputs");
