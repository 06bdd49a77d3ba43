using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform;

/// <summary>The message of a failure says which call failed, why, and what to do.</summary>
public sealed class LinuxErrorTests
{
    [Theory]
    [InlineData(Libc.ENOLCK, "Choose a directory on a local, writable file system")]
    [InlineData(Libc.EOPNOTSUPP, "Choose a directory on a local, writable file system")]
    [InlineData(Libc.EROFS, "Choose a directory on a local, writable file system")]
    [InlineData(Libc.EACCES, "Give the directory or the file to this user")]
    [InlineData(Libc.EPERM, "Give the directory or the file to this user")]
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
