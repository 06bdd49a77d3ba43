using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Kestrel's time limits. Over HTTP/2 it ends the connection for them; here the call alone ends. And there it times a
/// response only if the window of the whole connection is used up, which direct mode does not have: here each call is
/// timed that nobody reads.
/// </summary>
internal sealed class RequestTimeLimits(ServerCall call) : IHttpMinRequestBodyDataRateFeature
{
    // Written by the handler, read by the heartbeat.
    private bool _isUntimed;

    // As over HTTP/2.
    MinDataRate? IHttpMinRequestBodyDataRateFeature.MinDataRate
    {
        get => throw CreateRateException();
        set
        {
            if (value is not null)
            {
                throw CreateRateException();
            }

            Volatile.Write(ref _isUntimed, true);
        }
    }

    /// <summary>Whether the client has to send its data at a rate. By the heartbeat.</summary>
    public bool IsInputTimed => !Volatile.Read(ref _isUntimed);

    /// <summary>Ends a call that its client has let wait for too long. By the heartbeat.</summary>
    /// <param name="overdue">What is overdue. A block is only logged: the thread that receives ends its call.</param>
    /// <param name="id">Which call is meant.</param>
    public void End(Overdue overdue, uint id)
    {
        // Else it could serve another call before this is done with it.
        if (!call.TryUse())
        {
            return;
        }

        var reason = Describe(overdue);
        if (overdue == Overdue.Block)
        {
            // If it is another by now, the one meant has ended.
            if (call.CallStream.Id == id)
            {
                LogOverdue(reason);
            }
        }
        else if (call.CallStream.IsUnderWay(id))
        {
            // The peer last: its answer must not be quicker to say why.
            LogOverdue(reason);
            call.Lifetime.Abort(RequestFailures.CreateAborted(new ConnectionAbortedException(reason)));
            call.CallStream.Reset(CallError.Internal);
        }

        call.LetGo();
    }

    /// <summary>Makes them as new.</summary>
    public void Reuse() => _isUntimed = false;

    private static NotSupportedException CreateRateException() => new(
        "This feature is not supported for HTTP/2 and HTTP/3 requests except to disable it entirely "
        + "by setting the rate to null.");

    private string Describe(Overdue overdue) => overdue switch
    {
        Overdue.Block =>
            $"Its headers or trailers were not whole within {call.Limits.RequestHeadersTimeout} "
            + "(RequestHeadersTimeout).",
        Overdue.Data =>
            $"Its data came with less than {call.Limits.MinRequestBodyDataRate?.BytesPerSecond} bytes per second "
            + "(MinRequestBodyDataRate).",
        _ =>
            $"Its response was read with less than {call.Limits.MinResponseDataRate?.BytesPerSecond} bytes per second "
            + "(MinResponseDataRate).",
    };

    // Not by what the application may have set, which is the handler's.
    private void LogOverdue(string reason)
    {
        var connection = call.Connection;
        Log.RequestOverdue(connection.Application.Logger, connection.ConnectionId, call.FormatIdentifier(), reason);
    }
}
