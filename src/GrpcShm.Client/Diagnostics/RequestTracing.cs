using System.Diagnostics;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Client.Diagnostics;

/// <summary>Makes the span of a request, and the headers by which the server continues the trace.</summary>
internal static class RequestTracing
{
    private const string ActivityName = "System.Net.Http.HttpRequestOut";

    private static readonly ActivitySource Source =
        ContextUnloading.DisposeWith(typeof(RequestTracing).Assembly, new ActivitySource(ClientDiagnostics.SourceName));

    // By .NET's own switch.
    private static readonly bool IsAllowed = ReadSwitch();

    public static bool IsEnabled => Current is not null || IsHeard;

    /// <summary>True if anybody wants to see the spans of requests.</summary>
    public static bool IsHeard => IsAllowed && (Source.HasListeners() || RequestEvents.IsEnabled);

    /// <summary>The span that a request made now belongs to; nothing if servers are not to know of spans.</summary>
    public static Activity? Current => IsAllowed ? Activity.Current : null;

    /// <summary>Starts the span, if anybody listens or a span is under way, and writes the headers.</summary>
    public static Activity? Start(HttpRequestMessage request)
    {
        if (!IsAllowed)
        {
            return null;
        }

        var activity = Source.HasListeners() ? Source.StartActivity(ActivityName, ActivityKind.Client) : null;
        if (activity is null && (Activity.Current is not null || RequestEvents.IsSpanWanted(ActivityName, request)))
        {
            activity = new Activity(ActivityName).Start();
        }

        if (activity is not null)
        {
            Describe(activity, request);
            RequestEvents.WriteStarted(request);
        }

        if (Activity.Current is { } current)
        {
            DistributedContextPropagator.Current.Inject(current, request, static (carrier, name, value) =>
            {
                // Headers that the caller has set are left alone.
                if (carrier is HttpRequestMessage message && !message.Headers.NonValidated.Contains(name))
                {
                    message.Headers.TryAddWithoutValidation(name, value);
                }
            });
        }

        return activity;
    }

    /// <summary>Ends the span, also if a listener throws.</summary>
    public static void Stop(
        Activity? activity, HttpRequestMessage request, HttpResponseMessage? response, Exception? failure)
    {
        try
        {
            if (IsAllowed)
            {
                RequestEvents.WriteFailed(request, failure);
            }
        }
        finally
        {
            if (activity is not null)
            {
                StopSpan(activity, request, response, failure);
            }
        }
    }

    private static void StopSpan(
        Activity activity, HttpRequestMessage request, HttpResponseMessage? response, Exception? failure)
    {
        if (activity.IsAllDataRequested)
        {
            if (response is not null)
            {
                activity.SetTag("http.response.status_code", (int)response.StatusCode);
                activity.SetTag("network.protocol.version", RequestTags.VersionOf(response));
            }

            if (RequestTags.ErrorOf(response, failure) is { } error)
            {
                activity.SetTag("error.type", error);
                activity.SetStatus(ActivityStatusCode.Error);
            }
        }

        activity.SetEndTime(DateTime.UtcNow);
        try
        {
            RequestEvents.WriteStopped(request, response, failure);
        }
        finally
        {
            activity.Stop();
        }
    }

    private static void Describe(Activity activity, HttpRequestMessage request)
    {
        var method = RequestTags.MethodOf(request);
        var isKnown = method == request.Method.Method;
        activity.DisplayName = isKnown ? method : "HTTP";
        if (!activity.IsAllDataRequested)
        {
            return;
        }

        var address = request.RequestUri!;
        activity.SetTag("http.request.method", method);
        if (!isKnown)
        {
            activity.SetTag("http.request.method_original", request.Method.Method);
        }

        activity.SetTag("server.address", address.Host);
        activity.SetTag("server.port", address.Port);

        // A query may contain secrets.
        activity.SetTag("url.full", address.Query.Length == 0
            ? address.AbsoluteUri
            : $"{address.GetLeftPart(UriPartial.Path)}?*");
    }

    private static bool ReadSwitch()
    {
        if (AppContext.TryGetSwitch("System.Net.Http.EnableActivityPropagation", out var isEnabled))
        {
            return isEnabled;
        }

        return Environment.GetEnvironmentVariable("DOTNET_SYSTEM_NET_HTTP_ENABLEACTIVITYPROPAGATION")
            is not ("0" or "false" or "False");
    }
}
