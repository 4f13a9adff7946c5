// Lets peers.go declare functions whose bodies are elsewhere.
