"""What a person decides about a task's work: the diff that is shown, and the approval or rejection of exactly that."""
