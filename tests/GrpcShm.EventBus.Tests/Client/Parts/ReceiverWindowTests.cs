using GrpcShm.EventBus.Client;

namespace GrpcShm.EventBus.Tests.Client.Parts;

/// <summary>What a receiver keeps of what came before, by itself.</summary>
public sealed class ReceiverWindowTests
{
    [Fact]
    public void GiveRoom_WithoutASession_GrantsNothing()
    {
        var window = new ReceiverWindow(1);

        Assert.Null(window.GiveRoom(1).Credit);
        window.GiveRoom(1).Tell();
    }

    [Fact]
    public void IsRepeated_OfEachSender_IsWhatHasComeBefore()
    {
        var repeated = new RepeatedEvents();

        Assert.False(repeated.IsRepeated(1, "A", 5));
        Assert.True(repeated.IsRepeated(1, "A", 5));
        Assert.True(repeated.IsRepeated(1, "A", 4));
        Assert.False(repeated.IsRepeated(2, "A", 4));
        Assert.False(repeated.IsRepeated(1, "A", 6));
        Assert.False(repeated.IsRepeated(0, "A", 6));
        Assert.False(repeated.IsRepeated(0, "A", 6));
        Assert.False(repeated.IsRepeated(1, "B", 4));
    }

    [Fact]
    public void IsRepeated_AfterMoreSendersThanAreKept_ForgetsRatherThanGrows()
    {
        var repeated = new RepeatedEvents();
        repeated.IsRepeated(1, "A", 1);
        for (ulong sender = 2; sender < 9000; sender++)
        {
            repeated.IsRepeated(sender, "A", 1);
        }

        Assert.False(repeated.IsRepeated(1, "A", 1));
    }

    [Fact]
    public void IsRepeated_SenderComesAgainAndAgainAmongManyOthers_IsNotForgotten()
    {
        var repeated = new RepeatedEvents();
        repeated.IsRepeated(1, "A", 1);
        for (ulong sender = 2; sender < 20_000; sender++)
        {
            repeated.IsRepeated(sender, "A", 1);
            Assert.True(repeated.IsRepeated(1, "A", 1));
        }
    }
}
