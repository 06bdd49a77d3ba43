using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Native;

/// <summary>
/// Writes the lines of one call, with the categories, numbers, levels and texts of grpc-dotnet, since people filter by
/// those and search for these. Any thread that may run foreign code, and holds no lock.
/// </summary>
/// <remarks>
/// These are the lines from Information upwards. If a logger keeps more, grpc-dotnet makes the call. As there, each
/// line is written in the execution context in which the call began, so that it has the scopes of its caller.
/// </remarks>
internal sealed class CallLog(CallLoggers loggers, CallScope scope)
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    /// <summary>The call has ended with an error.</summary>
    /// <param name="status">The status.</param>
    /// <param name="isOverdue">True if that is since its deadline has passed.</param>
    public void WriteEnd(Status status, bool isOverdue)
    {
        if (isOverdue)
        {
            Write(loggers.Calls, CallLines.DeadlineExceeded);
        }

        Write(
            loggers.Calls,
            logger => CallLines.GrpcStatusError(logger, status.StatusCode, status.Detail, status.DebugException));
    }

    /// <summary>A message of the response could not be read.</summary>
    public void WriteFailedReading(Exception exception) =>
        Write(loggers.Calls, logger => CallLines.ErrorReadingMessage(logger, exception));

    /// <summary>A message of the request could not be written.</summary>
    public void WriteFailedSending(Exception exception) =>
        Write(loggers.Calls, logger => CallLines.ErrorSendingMessage(logger, exception));

    /// <summary>The trailers of a call that has failed make no sense.</summary>
    public void WriteWrongTrailers(Exception exception) =>
        Write(loggers.Calls, logger => CallLines.ErrorParsingTrailers(logger, exception));

    /// <summary>A response that has to have a message has its status before that.</summary>
    public void WriteStatusBeforeMessage() => Write(loggers.Calls, CallLines.InvalidGrpcStatusInHeader);

    /// <summary>The reader of messages is used wrongly.</summary>
    public void WriteWrongRead(Exception exception) =>
        Write(loggers.Readers, logger => CallLines.ReadMessageError(logger, exception));

    /// <summary>The writer of messages is used wrongly.</summary>
    public void WriteWrongWrite(Exception exception) =>
        Write(loggers.Writers, logger => CallLines.WriteMessageError(logger, exception));

    /// <summary>The writer of messages is completed at a wrong time.</summary>
    public void WriteWrongComplete(Exception exception) =>
        Write(loggers.Writers, logger => CallLines.CompleteClientStreamError(logger, exception));

    private void Write(ILogger logger, Action<ILogger> write)
    {
        if (_context is null)
        {
            WriteInScope(logger, write);
        }
        else
        {
            ExecutionContext.Run(_context, _ => WriteInScope(logger, write), null);
        }
    }

    private void WriteInScope(ILogger logger, Action<ILogger> write)
    {
        try
        {
            using (logger.BeginScope(scope))
            {
                write(logger);
            }
        }
        catch (Exception)
        {
            // A logger is foreign code, and its scope may throw as well. The call has to end, whatever it does.
        }
    }
}
