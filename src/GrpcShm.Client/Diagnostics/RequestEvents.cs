using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// The events of <c>HttpHandlerDiagnosticListener</c>, as .NET's own handler writes them: filters and enrichment of
/// OpenTelemetry's instrumentation and older agents listen to them. Listeners find what they know by the names of
/// properties.
/// </summary>
internal static class RequestEvents
{
    private const string StartEvent = "System.Net.Http.HttpRequestOut.Start";
    private const string StopEvent = "System.Net.Http.HttpRequestOut.Stop";
    private const string FailureEvent = "System.Net.Http.Exception";

    private static readonly DiagnosticListener Listener =
        ContextUnloading.DisposeWith(
            typeof(RequestEvents).Assembly, new DiagnosticListener("HttpHandlerDiagnosticListener"));

    /// <summary>Whether anybody listens.</summary>
    public static bool IsEnabled => Listener.IsEnabled();

    /// <summary>Whether anybody wants to have a span of a request.</summary>
    public static bool Wants(string activity, HttpRequestMessage request) =>
        IsEnabled && Listener.IsEnabled(activity, request);

    /// <summary>The span of a request has started.</summary>
    public static void Started(HttpRequestMessage request)
    {
        if (IsEnabled && Listener.IsEnabled(StartEvent))
        {
            Write(StartEvent, new StartData(request));
        }
    }

    /// <summary>The span of a request is about to be stopped.</summary>
    public static void Stopped(HttpRequestMessage request, HttpResponseMessage? response, Exception? failure)
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

    /// <summary>A request has failed, if it has.</summary>
    public static void Failed(HttpRequestMessage request, Exception? failure)
    {
        if (failure is not (null or OperationCanceledException) && IsEnabled && Listener.IsEnabled(FailureEvent))
        {
            Write(FailureEvent, new FailureData(request, failure));
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The properties are kept, and their types are those of everybody's requests.")]
    private static void Write<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TData>(string name, TData data) =>
        Listener.Write(name, data);

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
