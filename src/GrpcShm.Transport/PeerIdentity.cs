using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport;

/// <summary>
/// The user on whose behalf a process acts, as the operating system knows that user. Two identities are equal if the
/// system takes them for the same user.
/// </summary>
public sealed class PeerIdentity : IEquatable<PeerIdentity>
{
    /// <summary>
    /// Creates an identity for a comparison or a test. The identities of peers come from the operating system.
    /// </summary>
    /// <param name="id">The user's id, written as <see cref="Id"/> describes.</param>
    /// <param name="isPrivileged">Whether the user may do everything on this machine.</param>
    /// <exception cref="ArgumentException"><paramref name="id"/> is empty.</exception>
    public PeerIdentity(string id, bool isPrivileged = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        Id = id;
        IsPrivileged = isPrivileged;
    }

    /// <summary>
    /// The user's id as the operating system writes it: on Linux the effective user id as a decimal number
    /// (<c>1000</c>), on Windows the security identifier (<c>S-1-5-21-…</c>).
    /// </summary>
    public string Id { get; }

    /// <summary>Whether the calling process acts on behalf of this user right now.</summary>
    public bool IsSameUser => Equals(TransportPlatform.Current.CurrentUser);

    /// <summary>
    /// Whether this user may do everything on this machine, whatever others allow: <c>root</c> on Linux, <c>SYSTEM</c>
    /// and the Administrators on Windows. Not part of the equality.
    /// </summary>
    public bool IsPrivileged { get; }

    /// <summary>Compares two identities.</summary>
    /// <param name="left">One identity.</param>
    /// <param name="right">The other identity.</param>
    /// <returns>Whether both are the same user.</returns>
    public static bool operator ==(PeerIdentity? left, PeerIdentity? right) =>
        left is null ? right is null : left.Equals(right);

    /// <summary>Compares two identities.</summary>
    /// <param name="left">One identity.</param>
    /// <param name="right">The other identity.</param>
    /// <returns>Whether they are different users.</returns>
    public static bool operator !=(PeerIdentity? left, PeerIdentity? right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(PeerIdentity? other) =>
        other is not null && string.Equals(Id, other.Id, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PeerIdentity);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Id);

    /// <summary>Describes the user, for messages.</summary>
    /// <returns>For example <c>user 1000</c>.</returns>
    public override string ToString() => $"user {Id}";
}
