def walk(world): pass
