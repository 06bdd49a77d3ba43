namespace GrpcShm.Transport.Platform.Linux;

/// <summary>What the system says of a file: its type and rights, its owner, and its identity.</summary>
internal readonly record struct FileStatus(uint Mode, uint UserId, ulong Device, ulong Inode)
{
    public bool IsDirectory => (Mode & Libc.S_IFMT) == Libc.S_IFDIR;

    public bool IsRegularFile => (Mode & Libc.S_IFMT) == Libc.S_IFREG;

    public bool IsSocket => (Mode & Libc.S_IFMT) == Libc.S_IFSOCK;

    /// <summary>The rights alone.</summary>
    public UnixFileMode Rights => (UnixFileMode)(Mode & 0xFFF);

    public bool IsSameFileAs(FileStatus other) => Device == other.Device && Inode == other.Inode;
}
