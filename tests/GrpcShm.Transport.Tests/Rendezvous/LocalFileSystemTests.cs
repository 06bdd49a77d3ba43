using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>Abandoned names are removed only where this kernel alone uses the file system.</summary>
public sealed class LocalFileSystemTests
{
    [Fact]
    public void TryOwn_DirectoryOfAFileSystemThatIsNotKnownToBeLocal_IsNotLocked()
    {
        // It belongs to this user, and nobody else may read it.
        Assert.Null(LinuxDirectoryLock.TryOwn($"/proc/{Environment.ProcessId}/fd"));

        using var directory = new TempDirectory();
        using var own = LinuxDirectoryLock.TryOwn(directory.Path);
        Assert.NotNull(own);
    }

    [Theory]
    [InlineData(0x01021994, true)] // tmpfs
    [InlineData(0xEF53, true)] // ext4
    [InlineData(0x6969, false)] // NFS
    [InlineData(0xFF534D42, false)] // CIFS
    [InlineData(0xFE534D42, false)] // SMB 2
    [InlineData(0x65735546, false)] // FUSE: sshfs, virtiofs
    [InlineData(0x01021997, false)] // 9p
    [InlineData(-1, false)]
    public void IsLocal_TypeOfAFileSystem_IsLocalIfOnlyOneKernelUsesIt(long type, bool isLocal) =>
        Assert.Equal(isLocal, LocalFileSystem.IsLocal(type));
}
