import { plannerRule } from "../../planner-rule.js";

export default plannerRule("position-limit", "lengths");
