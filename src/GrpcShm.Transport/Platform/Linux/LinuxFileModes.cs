namespace GrpcShm.Transport.Platform.Linux;

/// <summary>The modes of the files with which client and server meet.</summary>
/// <param name="Directory">The mode of the directory if it has to be created.</param>
/// <param name="Socket">The mode of the socket.</param>
internal sealed record LinuxFileModes(UnixFileMode Directory, UnixFileMode Socket)
{
    /// <summary>Nobody but the user reaches the socket.</summary>
    public static LinuxFileModes OwnerAlone { get; } = new(
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
        UnixFileMode.UserRead | UnixFileMode.UserWrite);
}
