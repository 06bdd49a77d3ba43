using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>The promises of a <see cref="Doorbell"/>.</summary>
public abstract class DoorbellContract : PlatformContract
{
    private const ulong Token = 5;

    private protected DoorbellContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public void Ring_Watched_IsReportedEachTime()
    {
        var bell = Own(Platform.CreateDoorbell());
        using var poller = Watch(bell);
        for (var i = 0; i < 100; i++)
        {
            bell.Ring();
            AwaitEvent(poller, Token);
        }

        poller.Remove(bell.Source);
    }

    [Fact]
    public void Ring_BeforeItIsWatched_IsReported()
    {
        var bell = Own(Platform.CreateDoorbell());
        bell.Ring();
        using var poller = Platform.CreatePoller();
        poller.Add(bell.Source, Token);
        AwaitEvent(poller, Token);
        poller.Remove(bell.Source);
    }

    [Fact]
    public void Ring_ManyTimesBeforeTheLook_AreReportedAndThenThereIsSilence()
    {
        var bell = Own(Platform.CreateDoorbell());
        using var poller = Watch(bell);
        for (var i = 0; i < 10_000; i++)
        {
            bell.Ring();
        }

        AwaitEvent(poller, Token);
        AwaitSilence(poller);
        poller.Remove(bell.Source);
    }

    [Fact]
    public void Ring_ByThePeer_WakesTheOwner()
    {
        var bell = Own(Platform.CreateDoorbell());
        using var peers = Platform.OpenDoorbell(Hand(bell.Grant));
        using var poller = Watch(bell);
        for (var i = 0; i < 100; i++)
        {
            peers.Ring();
            AwaitEvent(poller, Token);
        }

        poller.Remove(bell.Source);
    }

    [Fact]
    public void Ring_OwnerIsGone_DoesNotFail()
    {
        var bell = Platform.CreateDoorbell();
        using var peers = Platform.OpenDoorbell(Hand(bell.Grant));
        bell.Dispose();
        peers.Ring();
        peers.Ring();
    }

    [Fact]
    public async Task Ring_OwnerWaits_EndsTheWait()
    {
        var bell = Own(Platform.CreateDoorbell());
        using var poller = Watch(bell);
        await TimeLimit.OnThreads(() => AwaitEvent(poller, Token), bell.Ring);
        poller.Remove(bell.Source);
    }

    [Fact]
    public void Open_WhatIsNoDoorbell_IsRefused()
    {
        var allocation = Platform.Allocate(4096);
        using var mapping = allocation.Mapping;
        using var grant = allocation.Grant;
        Assert.Throws<SharedMemoryProtocolException>(() => Platform.OpenDoorbell(grant));
        Assert.False(grant.IsClosed);
    }

    /// <summary>A poller that watches a bell, and has nothing to report.</summary>
    private Poller Watch(Doorbell bell)
    {
        var poller = Platform.CreatePoller();
        poller.Add(bell.Source, Token);
        AwaitSilence(poller);
        return poller;
    }

    /// <summary>The handle that a peer gets for a handle of this side.</summary>
    private SafeHandle Hand(SafeHandle grant)
    {
        var (client, server) = Meet();
        server.Send("h"u8, [grant]);
        var handles = new List<SafeHandle>();
        Receive(client, 1, handles);
        return Assert.Single(handles);
    }
}
