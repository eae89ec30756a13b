"""What would mend a shape: changes of the definition, tried out by inferring the net again.

changes       another argument of a stage, or another size of an input
edits         a change as an edit of the text
surroundings  the net around a mistake, and what each change would make of it
backwards     the search for the change that gives what was wanted, nearest layer first
"""
