using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// Writes the events of <c>HttpHandlerDiagnosticListener</c>, as .NET's own handler does: filters and enrichment of
/// OpenTelemetry's instrumentation, and older agents, listen to them. Listeners read the data of an event by the names
/// of its properties.
/// </summary>
internal static class RequestEvents
{
    private const string StartEvent = "System.Net.Http.HttpRequestOut.Start";
    private const string StopEvent = "System.Net.Http.HttpRequestOut.Stop";
    private const string FailureEvent = "System.Net.Http.Exception";

    private static readonly DiagnosticListener Listener =
        ContextUnloading.DisposeWith(
            typeof(RequestEvents).Assembly, new DiagnosticListener("HttpHandlerDiagnosticListener"));

    /// <summary>True if anybody listens.</summary>
    public static bool IsEnabled => Listener.IsEnabled();

    /// <summary>True if a listener wants a span for a request.</summary>
    public static bool IsSpanWanted(string activity, HttpRequestMessage request) =>
        IsEnabled && Listener.IsEnabled(activity, request);

    /// <summary>Writes that the span of a request has started.</summary>
    public static void WriteStarted(HttpRequestMessage request)
    {
        if (IsEnabled && Listener.IsEnabled(StartEvent))
        {
            Write(StartEvent, new StartData(request));
        }
    }

    /// <summary>Writes that the span of a request is about to be stopped.</summary>
    public static void WriteStopped(HttpRequestMessage request, HttpResponseMessage? response, Exception? failure)
    {
        if (IsEnabled && Listener.IsEnabled(StopEvent))
        {
            Write(StopEvent, new StopData(request, response, failure switch
            {
                null => TaskStatus.RanToCompletion,
                OperationCanceledException => TaskStatus.Canceled,
                _ => TaskStatus.Faulted,
            }));
        }
    }

    /// <summary>Writes the failure of a request, if it has failed.</summary>
    public static void WriteFailed(HttpRequestMessage request, Exception? failure)
    {
        if (failure is not (null or OperationCanceledException) && IsEnabled && Listener.IsEnabled(FailureEvent))
        {
            Write(FailureEvent, new FailureData(request, failure));
        }
    }

    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2026",
        Justification = "The properties are kept, and every application that sends requests uses their types.")]
    private static void Write<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TData>(
        string name, TData data) => Listener.Write(name, data);

    private sealed class StartData(HttpRequestMessage request)
    {
        public HttpRequestMessage Request => request;
    }

    private sealed class StopData(HttpRequestMessage request, HttpResponseMessage? response, TaskStatus status)
    {
        public HttpResponseMessage? Response => response;

        public HttpRequestMessage Request => request;

        public TaskStatus RequestTaskStatus => status;
    }

    private sealed class FailureData(HttpRequestMessage request, Exception exception)
    {
        public Exception Exception => exception;

        public HttpRequestMessage Request => request;
    }
}
