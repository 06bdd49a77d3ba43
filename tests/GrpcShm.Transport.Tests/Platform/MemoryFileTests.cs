using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform;

public sealed class MemoryFileTests
{
    private const int FirstHole = 4;

    [Theory]
    [InlineData(4096)]
    [InlineData((1 << 20) + 4096)]
    public void WriteZeros_FileWithoutPages_HasThemAllAndStaysEmpty(long size)
    {
        using var file = Libc.MemfdCreate("test", Libc.MFD_CLOEXEC);
        Assert.Equal(0, Libc.Truncate(file, size));
        Assert.Equal(0, Libc.Seek(file, 0, FirstHole));

        Assert.Equal(0, MemoryFile.WriteZeros(file, size));

        Assert.Equal(size, Libc.Seek(file, 0, FirstHole));
        using var mapping = LinuxMappedMemory.Map(file, size);
        unsafe
        {
            Assert.Equal(-1, new ReadOnlySpan<byte>(mapping.Pointer, (int)size).IndexOfAnyExcept((byte)0));
        }
    }

    [Fact]
    public void WriteZeros_FileMayNotBeWritten_GivesTheError()
    {
        using var file = Libc.Open("/dev/full", Libc.O_RDWR | Libc.O_CLOEXEC, 0);
        Assert.Equal(Libc.ENOSPC, MemoryFile.WriteZeros(file, 4096));
    }
}
