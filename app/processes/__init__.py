"""Child processes that never outlive their purpose: own group, bounded lines, ended as a tree."""
