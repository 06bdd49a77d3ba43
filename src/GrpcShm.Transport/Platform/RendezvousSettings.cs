namespace GrpcShm.Transport.Platform;

/// <summary>Where and for whom a listener puts its name.</summary>
/// <param name="Directory">The directory for names, or <see langword="null"/> for the user's run-time directory.</param>
/// <param name="DirectoryMode">The mode of the directory if it has to be created.</param>
/// <param name="SocketMode">The mode of the socket.</param>
internal sealed record RendezvousSettings(string? Directory, UnixFileMode DirectoryMode, UnixFileMode SocketMode);
