import { plannerRule } from "../../planner-rule.js";

export default plannerRule("tiles-with-experts", "inputs");
