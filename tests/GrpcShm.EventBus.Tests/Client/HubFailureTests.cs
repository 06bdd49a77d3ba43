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
            Assert.Same(cause, exception.InnerException);
        }
    }

    public static TheoryData<Exception, string> Causes { get; } = new()
    {
        {
            new HttpRequestException("The server could not be reached.", new IOException("Nobody listens.")),
            "Nobody listens."
        },
        {
            new HttpRequestException("Refused (localhost:1)", new IOException("Refused")),
            "Refused (localhost:1)"
        },
        {
            new HttpRequestException(
                "TLS could not be established, see inner exception.", new IOException("A frame was corrupted.")),
            "TLS could not be established: A frame was corrupted."
        },
        {
            new IOException("Unable to read: Reset by peer.", new IOException("Reset by peer")),
            "Unable to read: Reset by peer."
        },
        { new IOException("The peer has ended"), "The peer has ended." },
        {
            new HttpRequestException(
                "The server could not be reached.",
                new IOException("No server listens. Start the server." + WaitingAdvice.Text)),
            "No server listens. Start the server."
        },
        { new IOException("forged\nline"), "forged\uFFFDline." },
    };

    [Theory]
    [MemberData(nameof(Causes))]
    public void From_BrokenConnection_SaysTheCauseOnceAndNoNamesOfTypes(Exception cause, string expected)
    {
        var failure = new RpcException(new Status(StatusCode.Unavailable, $"Error: {cause}", cause));

        var exception = HubFailure.From(failure);

        Assert.Equal($"There is no connection to the hub: {expected}", exception.Message);
        Assert.Equal(expected, HubFailure.Describe(exception));
        Assert.Same(cause, HubFailure.CauseOf(exception));
    }

    [Theory]
    [InlineData(null, "The server answers, but it is no hub. Does it call MapEventBus()? (Unimplemented: Unknown.)")]
    [InlineData(
        "fab", "The server at 'fab' answers, but it is no hub. Does it call MapEventBus()? (Unimplemented: Unknown.)")]
    public void Describe_AServerWithoutTheService_SaysThatItIsNoHub(string? server, string expected) =>
        Assert.Equal(
            expected,
            HubFailure.Describe(new RpcException(new Status(StatusCode.Unimplemented, "Unknown.")), server));

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
