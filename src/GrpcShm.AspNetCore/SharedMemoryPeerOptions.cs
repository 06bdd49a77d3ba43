using Microsoft.AspNetCore.Authentication;

namespace GrpcShm.AspNetCore;

/// <summary>How <c>AddSharedMemoryPeer</c> describes the process at the other end of a connection.</summary>
public sealed class SharedMemoryPeerOptions : AuthenticationSchemeOptions
{
    /// <summary>
    /// Whether to look up the user's name, once for each connection, at its first call. If not, the claims have the
    /// user's id alone. Turn it off if no policy needs names, and the system's list of users is on another machine.
    /// </summary>
    /// <remarks>Defaults to <see langword="true"/>.</remarks>
    public bool LookUpUserName { get; set; } = true;

    /// <summary>
    /// How long a call may wait for the user's name. Afterwards the call goes on, and its claims have no name. Later
    /// calls of the connection do not wait for that look-up any more, and have the name as soon as it is known.
    /// </summary>
    /// <value>1 ms to 1 hour.</value>
    /// <remarks>Defaults to 5 seconds.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1 ms or more than an hour.</exception>
    public TimeSpan UserNameTimeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1), nameof(UserNameTimeout));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromHours(1), nameof(UserNameTimeout));
            field = value;
        }
    } = TimeSpan.FromSeconds(5);
}
