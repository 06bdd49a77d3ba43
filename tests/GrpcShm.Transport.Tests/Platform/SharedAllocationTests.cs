using System.Diagnostics;
using System.Globalization;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform;

/// <summary>The memory that a server hands to a peer, which may be hostile.</summary>
public sealed class SharedAllocationTests : IDisposable
{
    private readonly long _size = SegmentLayout.TotalSize(RingSizes.Default, RingSizes.Default);
    private readonly SharedAllocation _allocation;

    public SharedAllocationTests() => _allocation = TransportPlatform.Current.Allocate(_size);

    private SafeFileDescriptor File => (SafeFileDescriptor)_allocation.Grant;

    public void Dispose()
    {
        _allocation.Mapping.Dispose();
        _allocation.Grant.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    [InlineData(1L << 30)]
    public void Allocate_PeerChangesTheSize_IsNotAllowed(long size)
    {
        Assert.NotEqual(0, Libc.Truncate(File, size));
        Assert.Equal(_size, Libc.Seek(File, 0, Libc.SEEK_END));
    }

    [Fact]
    public void Allocate_PeerAddsSeals_IsNotAllowed()
    {
        const int Write = 8;
        Assert.NotEqual(0, Libc.Control(File, Libc.F_ADD_SEALS, Write));
        Assert.Equal(
            Libc.F_SEAL_SEAL | Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW,
            Libc.Control(File, Libc.F_GET_SEALS, 0) & (Libc.F_SEAL_SEAL | Libc.F_SEAL_SHRINK | Libc.F_SEAL_GROW));
    }

    [Fact]
    public async Task Allocate_Fresh_HasAllItsPagesAndNoName()
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{File.Number}");
        var start = new ProcessStartInfo("stat", ["-L", "-c", "%b %B %h", path]) { RedirectStandardOutput = true };
        using var stat = Process.Start(start)!;
        var output = await stat.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).InTime();
        var numbers = output.Split(' ').Select(n => long.Parse(n, CultureInfo.InvariantCulture)).ToArray();

        // The number of blocks, the size of a block, and the number of links to the file: no directory has a link.
        Assert.True(
            numbers[0] * numbers[1] >= _size, $"{numbers[0]} blocks of {numbers[1]} bytes are not {_size} bytes.");
        Assert.Equal(0, numbers[2]);
    }
}
