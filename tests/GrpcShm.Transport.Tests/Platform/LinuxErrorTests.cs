using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform;

/// <summary>What a failure says: which call, why, and what to do.</summary>
public sealed class LinuxErrorTests
{
    [Theory]
    [InlineData(Libc.ENOLCK, "Choose a directory on a local, writable one")]
    [InlineData(Libc.EOPNOTSUPP, "Choose a directory on a local, writable one")]
    [InlineData(Libc.EROFS, "Choose a directory on a local, writable one")]
    [InlineData(Libc.EACCES, "Give it the directory or the file")]
    [InlineData(Libc.EPERM, "Give it the directory or the file")]
    public void ForFile_FileSystemRefuses_SaysWhichCallAndWhatToDo(int error, string advice)
    {
        var exception = Assert.IsType<PlatformException>(
            LinuxError.ForFile("The lock file '/x' cannot be locked", "flock", error));
        Assert.StartsWith("The lock file '/x' cannot be locked: flock: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains($"(errno {error}).", exception.Message, StringComparison.Ordinal);
        Assert.Contains(advice, exception.Message, StringComparison.Ordinal);
        Assert.Contains("RuntimeDirectory", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Libc.EPERM)]
    [InlineData(Libc.EACCES)]
    [InlineData(Libc.ENOSYS)]
    [InlineData(Libc.EAFNOSUPPORT)]
    public void Create_KernelRefuses_NamesTheCallToAllow(int error)
    {
        var exception = Assert.IsType<PlatformException>(
            LinuxError.Create("Shared memory cannot be made", "memfd_create", error));
        Assert.Contains("allow memfd_create there", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Libc.ENOMEM)]
    [InlineData(Libc.ENOSPC)]
    [InlineData(Libc.EMFILE)]
    public void Create_SomethingIsLacking_IsAShortageAndNoRefusal(int error)
    {
        Assert.IsType<SharedMemoryResourcesException>(LinuxError.Create("x", "mmap", error));
        Assert.IsType<SharedMemoryResourcesException>(LinuxError.ForFile("x", "open", error));
    }
}
