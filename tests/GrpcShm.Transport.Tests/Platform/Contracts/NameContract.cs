using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>
/// The promises about a name: only one listener has it, and it is free as soon as it was given back.
/// </summary>
public abstract class NameContract : PlatformContract
{
    private protected NameContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public void Listen_NameIsTaken_IsRefusedByName()
    {
        Listen();
        var refused = Assert.Throws<EndPointInUseException>(Listen);
        Assert.Contains(EndPoint.Name, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Listen_NameWasGivenBack_IsFreeAtOnce()
    {
        for (var i = 0; i < 20; i++)
        {
            Listen().Dispose();
        }
    }

    [Fact]
    public void Listen_AnotherPlace_IsAnotherName()
    {
        Listen();
        using var place = new TempDirectory();
        using var other = Platform.Listen(EndPoint, new RendezvousSettings(place.Path));
        Assert.NotNull(Platform.Connect(EndPoint, place.Path, out _));
    }

    [Fact]
    public async Task Listen_ManyAtOnce_OneWinsEachTime()
    {
        const int Rounds = 20;
        const int Racers = 4;
        for (var round = 0; round < Rounds; round++)
        {
            var winners = new List<RendezvousSocket>();
            var losers = 0;
            using var start = new Barrier(Racers);
            void Race()
            {
                start.SignalAndWait();
                try
                {
                    var socket = Platform.Listen(EndPoint, new RendezvousSettings(Directory));
                    lock (winners)
                    {
                        winners.Add(socket);
                    }
                }
                catch (EndPointInUseException)
                {
                    Interlocked.Increment(ref losers);
                }
            }

            await TimeLimit.OnThreads([.. Enumerable.Repeat(Race, Racers)]);
            Assert.Equal(Racers - 1, losers);
            Assert.Single(winners).Dispose();
        }
    }

    [Fact]
    public void Dispose_TwiceAndAfterASuccessor_TakesNothingFromIt()
    {
        var first = Listen();
        first.Dispose();
        var successor = Listen();
        first.Dispose();
        var client = Connect();
        Accept(successor).Send("here"u8, []);
        Assert.Equal("here"u8, Receive(client, 4));
    }

    [Fact]
    public void Connect_NameWasGivenBack_FindsNobody()
    {
        Listen().Dispose();
        Assert.Null(Platform.Connect(EndPoint, Directory, out _));
    }
}
