using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Connections;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>
/// The exceptions that handlers meet when a call ends early, which handlers and filters of logs know.
/// </summary>
public sealed class RequestFailuresTests
{
    [Fact]
    public void CreateAborted_ByATimeLimit_HasItsReasonAsItIs()
    {
        var reason = new ConnectionAbortedException("too slow");

        Assert.Same(reason, RequestFailures.CreateAborted(reason).InnerException);
    }

    [Fact]
    public void CreateAborted_ByALostConnection_SaysWhy()
    {
        var cause = new IOException("The client's process has ended.");

        var aborted = RequestFailures.CreateAborted(cause);

        var inner = Assert.IsType<ConnectionAbortedException>(aborted.InnerException);
        Assert.Equal(cause.Message, inner.Message);
        Assert.Same(cause, inner.InnerException);
    }

    [Theory]
    [InlineData(0, "NO_ERROR")]
    [InlineData(1, "PROTOCOL_ERROR")]
    [InlineData(2, "INTERNAL_ERROR")]
    [InlineData(3, "FLOW_CONTROL_ERROR")]
    [InlineData(4, "SETTINGS_TIMEOUT")]
    [InlineData(5, "STREAM_CLOSED")]
    [InlineData(6, "FRAME_SIZE_ERROR")]
    [InlineData(7, "REFUSED_STREAM")]
    [InlineData(8, "CANCEL")]
    [InlineData(9, "COMPRESSION_ERROR")]
    [InlineData(10, "CONNECT_ERROR")]
    [InlineData(11, "ENHANCE_YOUR_CALM")]
    [InlineData(12, "INADEQUATE_SECURITY")]
    [InlineData(13, "HTTP_1_1_REQUIRED")]
    [InlineData(14, "14")]
    [InlineData(-1, "-1")]
    public void CreateResetByApplication_EachCode_IsNamed(int code, string name)
    {
        var reset = RequestFailures.CreateResetByApplication(code);

        Assert.IsType<ConnectionAbortedException>(reset.InnerException);
        Assert.EndsWith($" {name}.", reset.InnerException.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_OfTheOthers_AreOfTheTypesThatHandlersCatch()
    {
        Assert.IsType<ConnectionAbortedException>(RequestFailures.CreateAbortedByApplication().InnerException);
        Assert.IsType<ConnectionAbortedException>(RequestFailures.CreateAfterStart().InnerException);
        Assert.Equal("no such header", RequestFailures.CreateRefused("no such header").Message);
    }
}
