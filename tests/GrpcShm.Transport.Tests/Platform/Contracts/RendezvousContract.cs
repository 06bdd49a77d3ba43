using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>The promises of a <see cref="RendezvousSocket"/> to its clients.</summary>
public abstract class RendezvousContract : PlatformContract
{
    private protected RendezvousContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public void Connect_NobodyListens_SaysWhereItLooked()
    {
        Assert.Null(Platform.Connect(EndPoint, Directory, out var absence));
        Assert.NotNull(absence);
        Assert.Contains(EndPoint.Name, absence.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void Accept_NobodyCame_GivesNobody()
    {
        var listening = Listen();
        Assert.Null(listening.Accept());
        Assert.Null(listening.Accept());
    }

    [Fact]
    public void Accept_ClientsCame_EachIsItsOwn()
    {
        const int Count = 5;
        var listening = Listen();
        for (byte i = 0; i < Count; i++)
        {
            Connect().Send([i], []);
        }

        var seen = Enumerable.Range(0, Count).Select(_ => Receive(Accept(listening), 1)[0]).Order();
        Assert.Equal(Enumerable.Range(0, Count).Select(static i => (byte)i), seen);
    }

    [Fact]
    public async Task Accept_ClientComesDuringTheWait_IsReported()
    {
        var listening = Listen();
        await TimeLimit.OnThreads(() => Accept(listening).Send("welcome"u8, []), () => Receive(Connect(), 7));
    }

    [Fact]
    public void Accept_ClientWentAwayBefore_SeesItsEnd()
    {
        var listening = Listen();
        var client = Connect();
        client.Dispose();
        ReceiveEnd(Accept(listening));
    }

    [Fact]
    public void Refuse_ClientWaits_IsToldWhyAndLetGo()
    {
        var listening = Listen();
        var client = Connect();
        SharedMemoryPeer? peer = null;
        Await(listening.Source, () => (peer = listening.Refuse("full"u8)) is not null);
        Assert.Equal(Environment.ProcessId, peer!.ProcessId);
        Assert.Equal("full"u8, Receive(client, 4));
        ReceiveEnd(client);
    }

    [Fact]
    public void Refuse_NobodyCame_IsNobody() => Assert.Null(Listen().Refuse("full"u8));

    [Fact]
    public void Dispose_ClientsHaveBeenAccepted_TheyStay()
    {
        var listening = Listen();
        var client = Connect();
        var server = Accept(listening);
        listening.Dispose();
        client.Send("on"u8, []);
        Assert.Equal("on"u8, Receive(server, 2));
    }
}
