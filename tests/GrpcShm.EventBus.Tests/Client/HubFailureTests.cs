using System.Net.Sockets;
using Grpc.Core;
using GrpcShm.EventBus.Client;

namespace GrpcShm.EventBus.Tests.Client;

public sealed class HubFailureTests
{
    public static TheoryData<Exception> Breaks { get; } =
    [
        new IOException("reset"),
        new HttpRequestException("refused"),
        new SocketException((int)SocketError.ConnectionReset),
        new InvalidOperationException("wrapped", new HttpRequestException("refused")),
    ];

    [Theory]
    [MemberData(nameof(Breaks))]
    public void From_BrokenConnection_IsUnavailableWhateverTheClientMadeOfIt(Exception cause)
    {
        foreach (var code in new[] { StatusCode.Internal, StatusCode.Unknown, StatusCode.Unavailable })
        {
            var failure = new RpcException(new Status(code, "detail", cause));

            Assert.True(HubFailure.IsLostConnection(failure));
            var exception = HubFailure.From(failure);
            Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
            Assert.Contains("connection to the hub", exception.Message, StringComparison.Ordinal);
            Assert.Same(failure, exception.InnerException);
        }
    }

    [Fact]
    public void From_WhatTheHubSaid_StaysAsItIs()
    {
        var trailers = new Metadata { { "xstatenet-machine-bin", "Töpfer"u8.ToArray() } };
        var failure = new RpcException(new Status(StatusCode.Internal, "without a reply"), trailers);

        Assert.False(HubFailure.IsLostConnection(failure));
        var exception = HubFailure.From(failure);
        Assert.Equal(StatusCode.Internal, exception.StatusCode);
        Assert.Equal("without a reply", exception.Message);
        Assert.Equal("Töpfer", exception.MachineId);
    }

    [Fact]
    public void From_DeadlineWhileTheConnectionBroke_IsStillTheDeadline()
    {
        var failure = new RpcException(new Status(StatusCode.DeadlineExceeded, "too late", new IOException("reset")));

        Assert.Equal(StatusCode.DeadlineExceeded, HubFailure.From(failure).StatusCode);
    }
}
