namespace GrpcShm.AspNetCore;

/// <summary>
/// The modes of the files of an endpoint on Linux: they decide who can reach it. A client that reaches the endpoint is
/// then admitted or refused by <see cref="SharedMemoryTransportOptions.AuthorizePeer"/>. In the section
/// <c>SharedMemory</c> of the configuration a mode is an octal number (<c>0660</c>) or a list of names
/// (<c>UserRead, UserWrite</c>). A server does not start with a mode of other bits than those of
/// <see cref="UnixFileMode"/>.
/// </summary>
public sealed class LinuxRendezvousOptions
{
    /// <summary>The mode of the rendezvous socket's file.</summary>
    /// <value>A mode, for example <c>0660</c>.</value>
    /// <remarks>Defaults to 0600.</remarks>
    public UnixFileMode SocketMode { get; set; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// The mode of the directory of the rendezvous sockets, if the listener creates it. The directory of an endpoint
    /// that is a path has to exist.
    /// </summary>
    /// <value>A mode, for example <c>0750</c>.</value>
    /// <remarks>Defaults to 0700.</remarks>
    public UnixFileMode DirectoryMode { get; set; } =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Finds modes with bits that mean nothing.</summary>
    /// <remarks>
    /// Not refused by the properties: from an octal number in a configuration the binder takes a decimal one, and sets
    /// that first, before the right one is set.
    /// </remarks>
    /// <returns>A sentence for each mistake.</returns>
    internal IEnumerable<string> FindMistakes()
    {
        string?[] mistakes =
        [
            Choices.FindMistake(SocketMode, $"{nameof(LinuxRendezvousOptions)}.{nameof(SocketMode)}"),
            Choices.FindMistake(DirectoryMode, $"{nameof(LinuxRendezvousOptions)}.{nameof(DirectoryMode)}"),
        ];
        return mistakes.OfType<string>();
    }
}
