/** What a module throws need not be an error. */
throw null
