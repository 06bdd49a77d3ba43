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

    /// <summary>Writes the id of a user or a group. One number has one text, so that texts can be compared.</summary>
    public static string Write(uint id) => id.ToString(CultureInfo.InvariantCulture);
}
