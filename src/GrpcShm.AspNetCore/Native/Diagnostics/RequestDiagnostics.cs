using System.Diagnostics;
using Grpc.Core;
using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>
/// Tells of a native call what hosting, routing and grpc-dotnet tell of a request that takes the full pipeline, in the
/// same order: its span, the scope of its log lines, its metrics, and the lines that say where it stands. By the
/// handler. It belongs to the object of the call, and serves its next call.
/// </summary>
/// <remarks>
/// It runs foreign code: loggers, listeners and the propagator. What they throw is thrown on, as hosting does.
/// <para>
/// The current span and the scope flow with the caller, so <see cref="Begin"/> must be called by the asynchronous
/// method that runs the handler.
/// </para>
/// </remarks>
internal sealed class RequestDiagnostics(ServerCall call, HostDiagnostics host)
    : IHttpActivityFeature, IHttpMetricsTagsFeature
{
    private DiagnosedEndpoint? _endpoint;
    private Activity? _span;
    private IDisposable? _scope;
    private List<KeyValuePair<string, object?>>? _tags;

    // 0 if nobody asks how long the call takes.
    private long _beganAt;
    private bool _isStartLogged;
    private bool _isEndpointLogged;
    private bool _isMeasured;

    Activity IHttpActivityFeature.Activity
    {
        get => _span!;
        set => _span = value;
    }

    ICollection<KeyValuePair<string, object?>> IHttpMetricsTagsFeature.Tags => _tags ??= [];

    /// <summary>True if the application wants no metrics of this request.</summary>
    public bool MetricsDisabled { get; set; }

    /// <summary>Tells that the call begins. Before anything of the application runs for it.</summary>
    public void Begin(DiagnosedEndpoint endpoint)
    {
        Clear();
        _endpoint = endpoint;
        if (host.Metrics.AreHeard)
        {
            _isMeasured = true;
            _beganAt = Stopwatch.GetTimestamp();
            host.Metrics.Begin();
        }

        // Nearly all hosts log critical failures, so nearly all requests have a span.
        var isLogged = host.Requests.IsEnabled(LogLevel.Critical);
        if (isLogged || host.Spans.AreHeard)
        {
            _span = host.Spans.Begin(call, isNeeded: isLogged);
        }

        if (isLogged)
        {
            _scope = host.Requests.BeginScope(
                new RequestLogScope(call.Connection.ConnectionId, call.Number, call.Request.Path));
            if (host.Requests.IsEnabled(LogLevel.Information))
            {
                _isStartLogged = true;
                _beganAt = _beganAt == 0 ? Stopwatch.GetTimestamp() : _beganAt;
                RequestLine.LogStart(host.Requests, call.Request);
            }
        }

        host.Matches.Count(endpoint);
        if (host.Endpoints.IsEnabled(LogLevel.Information))
        {
            _isEndpointLogged = true;
            EndpointLog.Executing(host.Endpoints, endpoint.Endpoint);
        }

        _span?.AddTag("grpc.method", call.Request.Path);
    }

    /// <summary>Adds the features of hosting to those that an <c>HttpContext</c> of the call shows.</summary>
    public void AddFeatures(IFeatureCollection features)
    {
        if (_isMeasured)
        {
            features.Set<IHttpMetricsTagsFeature>(this);
        }

        if (_span is not null)
        {
            features.Set<IHttpActivityFeature>(this);
        }
    }

    /// <summary>Leaves it to the application's pipeline to tell that its endpoint has ended.</summary>
    public void LeaveEndpoint() => _isEndpointLogged = false;

    /// <summary>
    /// Tells that the handler has ended, and its interceptors, too. Before the end of the response is sent: whoever has
    /// seen that may look for what is told here.
    /// </summary>
    /// <param name="statusCode">The status of the call.</param>
    public void EndHandler(StatusCode statusCode)
    {
        _span?.AddTag("grpc.status_code", StatusText.Of(statusCode));
        LogExecuted();
    }

    /// <summary>Tells that the call has ended. After the end of its response.</summary>
    /// <param name="failure">The exception that the server has seen, if any: not the one of a handler.</param>
    public void End(Exception? failure)
    {
        try
        {
            LogExecuted();
            if (_beganAt != 0)
            {
                EndMeasured(failure);
            }

            _span?.Stop();
            _scope?.Dispose();
        }
        finally
        {
            Clear();
        }
    }

    private void EndMeasured(Exception? failure)
    {
        var duration = Stopwatch.GetElapsedTime(_beganAt);
        if (_isStartLogged)
        {
            RequestLine.LogEnd(host.Requests, call.Request, call.Response, duration);
        }

        if (_isMeasured)
        {
            host.Metrics.End(
                _endpoint!, call.Response.StatusCode, failure, _tags, MetricsDisabled ? null : duration);
        }
    }

    private void LogExecuted()
    {
        if (_isEndpointLogged)
        {
            _isEndpointLogged = false;
            EndpointLog.Executed(host.Endpoints, _endpoint!.Endpoint);
        }
    }

    private void Clear()
    {
        _endpoint = null;
        _span = null;
        _scope = null;
        _tags?.Clear();
        _beganAt = 0;
        _isStartLogged = false;
        _isEndpointLogged = false;
        _isMeasured = false;
        MetricsDisabled = false;
    }
}
