namespace GrpcShm.Transport.Platform.Linux;

/// <summary>
/// The user's own home, which nobody else can write to: where names lie when there is no run-time directory and another user has
/// taken our place in the temp path.
/// </summary>
internal static class HomeDirectory
{
    private static UserHome? s_listed;

    /// <summary>Looks for a home that is the user's alone: what <c>HOME</c> says, else what the system's list of users says.</summary>
    /// <param name="user">The effective user.</param>
    /// <param name="problem">Why there is none.</param>
    public static string? Find(uint user, out string? problem)
    {
        string? first = null;
        if (Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home && Path.IsPathRooted(home))
        {
            first = Inspect(home, user);
            if (first is null)
            {
                problem = null;
                return home;
            }

            first = $"the home directory '{home}' (HOME): {first}";
        }

        // With sudo and the like, HOME is another user's.
        var listed = Listed(user);
        var second = listed is null ? $"user {user} has no home directory" : Inspect(listed, user);
        problem = second is null ? null : string.Join("; ", new[] { first, listed is null ? second : $"the home directory '{listed}': {second}" }.OfType<string>().Distinct());
        return second is null ? listed : null;
    }

    private static string? Inspect(string home, uint user)
    {
        // A link is followed: whoever could change it could change the home itself.
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
