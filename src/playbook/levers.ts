// Written by `npm run fix`: one line for each file.

export const levers = {}
