namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// The user's own home, to which nobody else can write. Sockets are there if there is no run-time directory and another
/// user has taken this user's place in the temp path.
/// </summary>
internal static class HomeDirectory
{
    private static UserHome? s_listed;

    /// <summary>
    /// Looks for a home that is the user's alone: first by <c>HOME</c>, then in the system's list of users.
    /// </summary>
    /// <param name="user">The effective user.</param>
    /// <param name="problem">The reason why there is none.</param>
    public static string? Find(uint user, out string? problem)
    {
        var problems = new List<string>(2);
        if (Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home && Path.IsPathRooted(home))
        {
            if (Inspect(home, user) is not { } unfit)
            {
                problem = null;
                return home;
            }

            problems.Add($"the home directory '{home}' (HOME): {unfit}");
        }

        // With sudo and the like, HOME is another user's.
        if (Listed(user) is not { } listed)
        {
            problems.Add($"user {user} has no home directory");
        }
        else if (Inspect(listed, user) is { } unfit)
        {
            problems.Add($"the home directory '{listed}': {unfit}");
        }
        else
        {
            problem = null;
            return listed;
        }

        problem = string.Join("; ", problems);
        return null;
    }

    private static string? Inspect(string home, uint user)
    {
        // A link is followed: a user who could change the link could change the home itself.
        if (Kernel.Stat(home, follow: true, out var status) is not 0 and var error)
        {
            return Libc.Describe(error);
        }

        if (!status.IsDirectory)
        {
            return "it is not a directory";
        }

        return status.UserId != user ? $"it belongs to user {status.UserId}, not to {user}"
            : (status.Rights & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0
                ? $"others may write to it (its mode is 0{Convert.ToString((int)status.Rights, 8)})"
                : null;
    }

    // Asked for once, since a list of users may be on another machine.
    private static string? Listed(uint user)
    {
        var known = s_listed;
        if (known?.User != user)
        {
            known = new UserHome(user, Libc.HomeDirectoryOf(user) is { } home && Path.IsPathRooted(home) ? home : null);
            s_listed = known;
        }

        return known.Home;
    }

    private sealed record UserHome(uint User, string? Home);
}
