using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class FrameWriterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TryPut_ThreePieces_ComeAsOneFrame(bool useChecksums)
    {
        await using var pair = await FramePair.CreateAsync(useChecksums);
        var header = new FrameHeader
        {
            Length = FrameHeader.Size + 6,
            Type = FrameType.Message,
            Flags = FrameFlags.Headers | FrameFlags.Trailers | FrameFlags.End,
            Call = 0x10001,
            HeadersLength = 1,
            TrailersLength = 2,
        };

        Assert.True(pair.Writer.TryPut(header, [1], [2, 3, 4], [5, 6]));

        var (received, content) = Assert.Single(pair.TakeAll(out var gaps));
        Assert.Equal([1, 2, 3, 4, 5, 6], content);
        Assert.Equal(header.Flags, received.Flags);
        Assert.Equal(header.Call, received.Call);
        Assert.Equal(useChecksums, received.Checksum != 0);
        Assert.Equal(0, gaps);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TryPut_EndOfTheRing_IsBridgedByAGap(bool useChecksums)
    {
        await using var pair = await FramePair.CreateAsync(useChecksums);
        var gaps = 0;
        for (var round = 0; gaps == 0 && round < 100; round++)
        {
            // With its header a frame has 1032 bytes, and no number of such frames fills the ring to its end.
            Assert.True(pair.Put(new byte[1032 - FrameHeader.Size]));
            pair.TakeAll(out gaps);
        }

        Assert.Equal(1, gaps);
    }

    [Fact]
    public async Task TryPut_NoRoom_IsRefusedUntilThePeerHasTakenSome()
    {
        await using var pair = await FramePair.CreateAsync();
        var count = pair.Fill(1000);
        Assert.False(pair.Writer.HasRoom(FrameHeader.Size + 1000));

        Assert.Equal(count, pair.TakeAll(out _).Count);

        Assert.True(pair.Writer.HasRoom(FrameHeader.Size + 1000));
        Assert.True(pair.Put(new byte[1000]));
        Assert.Single(pair.TakeAll(out _));
        Assert.Equal(pair.Writer.Published, pair.Writer.Taken);
    }

    [Fact]
    public void Verify_FrameWasChanged_SaysThatTheMemoryIsCorrupted()
    {
        var header = FrameWriter.CreateHeader(FrameType.Credit, 0x10001, 7);
        header.Checksum = FrameChecksum.Compute(header, [1, 2], [3]);
        FrameChecksum.Verify(header, [1, 2, 3]);

        AssertCorrupted(header, [1, 2, 4]);
        header.Argument++;
        AssertCorrupted(header, [1, 2, 3]);
    }

    private static void AssertCorrupted(FrameHeader header, byte[] content) => Assert.True(
        Assert.Throws<SharedMemoryProtocolException>(() => FrameChecksum.Verify(header, content)).IsCorruption);
}
