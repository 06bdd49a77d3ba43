namespace GrpcShm.AspNetCore;

/// <summary>
/// Who reaches an endpoint on Linux, by the modes of the files there. Whoever reaches it is then asked for by
/// <see cref="SharedMemoryTransportOptions.AuthorizePeer"/>.
/// </summary>
public sealed class LinuxRendezvousOptions
{
    /// <summary>The mode of the rendezvous socket's file.</summary>
    /// <remarks>Defaults to 0600.</remarks>
    public UnixFileMode SocketMode { get; set; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// The mode of the directory of the rendezvous sockets, where the listener creates it. An endpoint that is a path
    /// needs a directory that exists.
    /// </summary>
    /// <remarks>Defaults to 0700.</remarks>
    public UnixFileMode DirectoryMode { get; set; } =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
}
