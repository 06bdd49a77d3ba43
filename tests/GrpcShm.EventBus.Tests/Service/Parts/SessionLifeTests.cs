using Grpc.Core;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service.Parts;

/// <summary>How a session begins and ends, by itself.</summary>
public sealed class SessionLifeTests : SessionPartTest
{
    private readonly SessionLife _life;

    public SessionLifeTests()
    {
        _life = new SessionLife(Hub, Owner);
        _life.Begin();
    }

    private static OpenSession Opening { get; } = new() { InstanceId = "process", Name = "name" };

    [Fact]
    public async Task End_ForSeveralCauses_TheFirstOneWinsAndIsCountedOnce()
    {
        Subscribe("m", Owner, Outbox);
        Assert.Equal(1, Hub.Metrics.Sessions);

        _life.End(new Verdict(StatusCode.Aborted, "first", ""));
        _life.End(Verdict.Ok);

        Assert.True(_life.HasEnded);
        Assert.Equal("first", (await _life.Ending.InTime()).Message);
        Assert.Equal(0, Hub.Metrics.Sessions);
        Assert.Equal(0, Hub.Machines.Count);
    }

    [Fact]
    public void Open_ANewSessionOfTheSameProcess_EndsTheOneBefore()
    {
        var next = new SessionLife(Hub, MakeOwner(""));
        Assert.True(_life.Open(Opening).IsOk);

        Assert.True(next.Open(Opening).IsOk);

        Assert.True(_life.HasEnded);
        Assert.False(next.HasEnded);
        Assert.Equal(1, Hub.KnownSessions);
    }

    [Fact]
    public void Open_WhenItHasEnded_IsUnavailableAndNotKnown()
    {
        _life.End(Verdict.Ok);

        Assert.Equal(StatusCode.Unavailable, _life.Open(Opening).Code);
        Assert.Equal(0, Hub.KnownSessions);
    }

    [Fact]
    public void Open_ByAnInstanceThatIsTooLong_IsInvalidAndNotKnown()
    {
        var opening = new OpenSession { InstanceId = new string('i', 4 * Options.MaxIdLength + 1) };

        Assert.Equal(StatusCode.InvalidArgument, _life.Open(opening).Code);
        Assert.Equal(0, Hub.KnownSessions);
    }
}
