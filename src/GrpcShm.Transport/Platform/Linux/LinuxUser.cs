using System.Globalization;

namespace GrpcShm.Transport.Platform.Linux;

/// <summary>Users as Linux knows them: by number, and number 0 may do everything.</summary>
internal static class LinuxUser
{
    /// <summary>The name of the user to whom nothing is forbidden.</summary>
    public const string Privileged = "root";

    /// <summary>The effective user of this process right now: a process may change it.</summary>
    public static PeerIdentity Current => Of(Libc.EffectiveUserId());

    public static PeerIdentity Of(uint userId) => new(Write(userId), isPrivileged: userId == 0);

    /// <summary>Looks a user up in the system's list of users.</summary>
    /// <returns><see langword="null"/> if the list does not have this user.</returns>
    /// <exception cref="IOException">The list cannot be read.</exception>
    public static string? FindName(PeerIdentity user)
    {
        if (!uint.TryParse(user.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            return null;
        }

        return Libc.UserNameOf(id, out var name) switch
        {
            0 => name,

            // So C libraries say that the list does not have the user.
            Libc.ENOENT or Libc.ESRCH or Libc.EBADF or Libc.EPERM => null,
            var error => throw LinuxError.Create($"The name of {user} cannot be looked up", "getpwuid_r", error),
        };
    }

    /// <summary>Writes the id of a user or a group. One number has one text, so that texts can be compared.</summary>
    public static string Write(uint id) => id.ToString(CultureInfo.InvariantCulture);
}
