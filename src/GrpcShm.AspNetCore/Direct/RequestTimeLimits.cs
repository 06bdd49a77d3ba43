using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Kestrel's time limits for one call. Over HTTP/2 Kestrel ends the connection when a limit is exceeded; here only the
/// call ends. And Kestrel times a response only if the window of the whole connection is used up. Direct mode has no
/// such window, so here each response is timed that its client does not read.
/// </summary>
internal sealed class RequestTimeLimits(ServerCall call) : IHttpMinRequestBodyDataRateFeature
{
    // Written by the handler, read by the heartbeat.
    private bool _isUntimed;

    // The same exceptions as over HTTP/2.
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

    /// <summary>True if the client has to send its data at a minimum rate. By the heartbeat.</summary>
    public bool IsInputTimed => !Volatile.Read(ref _isUntimed);

    /// <summary>Ends a call that has waited for its client for too long. By the heartbeat.</summary>
    /// <param name="overdue">
    /// The kind of the wait. If it is a block, this only logs: the thread that receives ends the call.
    /// </param>
    /// <param name="id">The id of the call.</param>
    public void End(Overdue overdue, uint id)
    {
        // Else the object could serve another call before this method is done.
        if (!call.TryUse())
        {
            return;
        }

        var reason = Describe(overdue);
        if (overdue == Overdue.Block)
        {
            // If the object carries another call by now, the call with that id has ended.
            if (call.CallStream.Id == id)
            {
                LogOverdue(reason);
            }
        }
        else if (call.CallStream.IsUnderWay(id))
        {
            // The peer is told last: else its answer could be the first reason.
            LogOverdue(reason);
            call.Lifetime.Abort(RequestFailures.CreateAborted(new ConnectionAbortedException(reason)));
            call.CallStream.Reset(CallError.Internal);
        }

        call.LetGo();
    }

    /// <summary>Prepares them for the next call.</summary>
    public void Reuse() => _isUntimed = false;

    private static NotSupportedException CreateRateException() => new(
        "This feature is not supported for HTTP/2 and HTTP/3 requests except to disable it entirely "
        + "by setting the rate to null.");

    private string Describe(Overdue overdue) => overdue switch
    {
        Overdue.Block =>
            $"Its headers or trailers did not come in full within {call.Limits.RequestHeadersTimeout} "
            + "(RequestHeadersTimeout).",
        Overdue.Data =>
            $"Its data came at less than {call.Limits.MinRequestBodyDataRate?.BytesPerSecond} bytes per second "
            + "(MinRequestBodyDataRate).",
        _ =>
            $"Its response was read at less than {call.Limits.MinResponseDataRate?.BytesPerSecond} bytes per second "
            + "(MinResponseDataRate).",
    };

    // By the call's own identifier: the one that the application may have set belongs to the handler's thread.
    private void LogOverdue(string reason)
    {
        var connection = call.Connection;
        Log.RequestOverdue(connection.Application.Logger, connection.ConnectionId, call.FormatIdentifier(), reason);
    }
}
