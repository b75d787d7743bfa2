"""Mixed-integer programs beside which the scheduling benchmark puts schedules."""
