using GrpcShm.Transport.Calls;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>Blocks that come in pieces.</summary>
public sealed class BlockAssemblyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly BlockAssembly _blocks = new();

    [Fact]
    public async Task TryComplete_InPieces_GivesAllOfIt()
    {
        await using var pair = await CallPair.CreateAsync();

        Assert.False(_blocks.TryComplete([1, 2], isWhole: false, pair.Client, out _));
        Assert.True(_blocks.IsUnderWay);
        Assert.False(_blocks.TryComplete([3], isWhole: false, pair.Client, out _));
        Assert.True(_blocks.TryComplete([4], isWhole: true, pair.Client, out var block));

        Assert.Equal([1, 2, 3, 4], block.ToArray());
        Assert.False(_blocks.IsUnderWay);
    }

    [Fact]
    public async Task TryComplete_AtOnce_GivesWhatCameItself()
    {
        await using var pair = await CallPair.CreateAsync();
        byte[] bytes = [1, 2];

        Assert.True(_blocks.TryComplete(bytes, isWhole: true, pair.Client, out var block));

        Assert.True(block == bytes);
    }

    [Theory]
    [InlineData(HeaderBlock.MaxSize + 1, 0)]
    [InlineData(HeaderBlock.MaxSize, 1)]
    public async Task TryComplete_TooLarge_IsABreachOfTheProtocol(int first, int second)
    {
        await using var pair = await CallPair.CreateAsync();

        Assert.Throws<SharedMemoryProtocolException>(() =>
        {
            _blocks.TryComplete(new byte[first], isWhole: second == 0, pair.Client, out _);
            _blocks.TryComplete(new byte[second], isWhole: true, pair.Client, out _);
        });
    }

    [Fact]
    public async Task IsOverdue_RestDoesNotCome_IsSoUntilItIsDropped()
    {
        await using var pair = await CallPair.CreateAsync();
        var clock = pair.Client.Clock;
        _blocks.TryComplete([1], isWhole: false, pair.Client, out _);

        var latest = clock + Limit.Ticks + CallTimeLimits.Interval.Ticks;
        Assert.False(_blocks.IsOverdue(latest, Limit));
        Assert.True(_blocks.IsOverdue(latest + 1, Limit));
        _blocks.Drop(pair.Client);
        Assert.False(_blocks.IsOverdue(latest + 1, Limit));
    }

    [Fact]
    public async Task TryComplete_ManyThatDoNotEnd_AreTooManyTogetherUnlessDropped()
    {
        await using var pair = await CallPair.CreateAsync();
        for (var i = 0; i < 256; i++)
        {
            new BlockAssembly().TryComplete(new byte[HeaderBlock.MaxSize], isWhole: false, pair.Client, out _);
        }

        Assert.Throws<SharedMemoryProtocolException>(
            () => _blocks.TryComplete([1], isWhole: false, pair.Client, out _));
        pair.Client.HoldPartial(-HeaderBlock.MaxSize * 256);
        _blocks.Drop(pair.Client);
        Assert.False(new BlockAssembly().TryComplete([1], isWhole: false, pair.Client, out _));
    }
}
