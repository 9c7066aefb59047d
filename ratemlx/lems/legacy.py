"""RateML's spellings, as a table: the code of the warning, what was found, and the modern spelling.

The meaning of each is given by the module that reads the element in question.
"""

from __future__ import annotations

SPELLINGS: dict[str, tuple[str, str]] = {
    "legacy-range": (
        "RateML's spelling: 'dimension' as the range of a parameter",
        'write range="low, high", and a default',
    ),
    "legacy-source": (
        "RateML's spelling: a state variable by its number",
        'name the state variable: source="V"',
    ),
    "legacy-initial": (
        "RateML's spelling: 'dimension' as the start of a state variable",
        'write initial="value", or initial="low, high" to draw one for each region',
    ),
    "legacy-reversed": (
        "a range whose first number is the larger one is read in ascending order",
        "write the smaller number first",
    ),
    "legacy-bounds": (
        "RateML's spelling: 'exposure' as the bounds of a state variable",
        'write bounds="low, high", or leave them out where there are none',
    ),
    "legacy-exposure": (
        "RateML's spelling: an exposure's 'name' as its expression; 'dimension' is not used",
        'write <Exposure name="V" value="V"/>',
    ),
    "legacy-derivative": (
        "RateML's spelling: 'dV' as the name of the derivative of 'V'",
        'name the state variable itself: variable="V"',
    ),
    "legacy-value": (
        "RateML's spelling: 'default' as the value of a constant",
        'write value="…"',
    ),
    "legacy-domain": (
        "RateML's spelling: the domain of a constant, which is not used",
        "leave it out, or make it a Parameter with a range if it is to be swept",
    ),
    "legacy-expression": (
        "RateML's spelling: 'expression' on a DerivedParameter",
        'write value="…"',
    ),
    "legacy-vector": (
        "RateML's spelling: brackets around the values of a vector",
        'leave the brackets out: value="1, 2, 3"',
    ),
    "legacy-power": (
        "RateML's spelling: braces around a power",
        "write x^2, without braces",
    ),
    "legacy-float": (
        "RateML's spelling: a number with the ending 'f' of C",
        "write 1.0; precision is chosen when the model is run",
    ),
    "legacy-else": (
        'RateML\'s spelling: condition="else" or an empty one',
        "leave 'condition' out of the last Case",
    ),
    "legacy-none": (
        'RateML\'s spelling: "None" for what is not there',
        "leave the attribute or element out",
    ),
    "legacy-speed": (
        "RateML's spelling: 'rec_speed_dt' sets the delays",
        'write <Parameter name="conduction_speed" range="1, 10" default="3"/>, or a Constant of that name',
    ),
    "legacy-no-delays": (
        "without 'rec_speed_dt' RateML's models have no delays, and so has this one",
        'write <Lems delays="false"> to say so, or give a conduction_speed and name the source of the coupling',
    ),
    "legacy-helper": (
        "RateML's helper parameters that nothing here uses are left out",
        "delete them",
    ),
    "legacy-noise": (
        "RateML's spelling: an empty noise component adds noise to every state variable",
        'write <Noise variable="V" type="additive" sigma="…"/> for each variable that has noise',
    ),
    "legacy-noise-scale": (
        "RateML would add this noise in every step without sqrt(dt), so that its strength depends on the step; "
        "here it is taken as sigma, per sqrt(ms)",
        'write <Noise variable="V" type="additive" sigma="…"/> for each variable that has noise',
    ),
}
