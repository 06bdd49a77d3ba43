using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.AspNetCore.Native.Proof;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// Says which methods of a host are dispatched natively, one for each host. When endpoints change, or options that
/// middleware looks at for each request, it looks at all of them again.
/// </summary>
/// <remarks>
/// It looks twice without a change. At the start it builds the endpoints for itself alone, for the lines of the log. At
/// the first call it takes those that routing has built: until then the application can still add endpoints, and to ask
/// routing for them would put an end to that.
/// <para>No lock is held while it looks, since endpoints are built by foreign code. Whoever looks takes a number first.
/// A table with a lower number than the present one is dropped: it was begun earlier, so it may be out of date.</para>
/// </remarks>
internal sealed class NativeServices
{
    private readonly Lazy<PipelineWalk> _walk;
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private volatile NativeTable? _table;
    private int _lastVersion;
    private int _isWatching;

    // True if changes are not told. Then no call is native. Written once, before the table that says so.
    private volatile bool _isUnwatched;

    /// <param name="walk">The pipeline of the application, for the first one who needs it.</param>
    /// <param name="services">The services of the host.</param>
    /// <param name="logger">A logger that never throws.</param>
    public NativeServices(Lazy<PipelineWalk> walk, IServiceProvider services, ILogger logger)
    {
        _walk = walk;
        _services = services;
        _logger = logger;
    }

    /// <summary>False if no method of the host is to be dispatched natively.</summary>
    public bool IsOn { get; init; } = true;

    /// <summary>Makes what serves a method. Set before the first call.</summary>
    public NativeMethodMaker? MakeMethod { get; init; }

    /// <summary>
    /// The methods at present. A call that has found its method may keep it for the next calls to the same path, as
    /// long as the table is the same, or has the same version.
    /// </summary>
    public NativeTable Table => _table ?? ReadFirst();

    /// <summary>Writes which services are dispatched natively, and why others are not. At the start, once.</summary>
    public void LogAll()
    {
        // To look at endpoints builds them, so this does not look for nothing.
        if (!_logger.IsEnabled(LogLevel.Information) || !(IsOn || NativeDispatchMetadata.IsUsed))
        {
            return;
        }

        var (table, unknown) = Read(NativeTable.None.Version, FindNew);
        if (table.Endpoints.Count > 0)
        {
            var names = table.Endpoints.Select(static endpoint => endpoint.Metadata.Method.ServiceName).Distinct();
            Log.NativeDispatch(
                _logger,
                string.Join(", ", names.Order(StringComparer.Ordinal)),
                unknown.Count == 0 ? "none" : string.Join(", ", unknown));
        }

        foreach (var refused in table.Refusals
            .Where(static refusal => refusal.IsAsked)
            .GroupBy(static refusal => (refusal.Metadata.Method.ServiceName, refusal.Reason)))
        {
            Log.NativeDispatchNotPossible(
                _logger,
                refused.Key.ServiceName,
                string.Join(", ", refused.Select(static refusal => refusal.Metadata.Method.Name).Distinct()),
                refused.Key.Reason);
        }

        if (IsOn)
        {
            LogUnasked(table);
        }
    }

    /// <summary>Builds the endpoints for this look alone.</summary>
    private IReadOnlyList<Endpoint> FindNew()
    {
        // If the pipeline is not known, this still finds the methods.
        var routed = _walk.Value.Routed ?? _services.GetService<EndpointDataSource>() as CompositeEndpointDataSource;
        return [.. routed?.DataSources.SelectMany(static source => source.Endpoints) ?? []];
    }

    /// <summary>Writes why services that have asked for nothing take the full pipeline: one line a reason.</summary>
    private void LogUnasked(NativeTable table)
    {
        var native = table.Endpoints.Select(static endpoint => endpoint.Metadata.Method.ServiceName).ToHashSet();
        foreach (var refused in table.Refusals
            .Where(static refusal => !refusal.IsAsked)
            .GroupBy(static refusal => refusal.Reason))
        {
            // A service that is native but for some of its methods has those named.
            var names = refused
                .Select(static refusal => refusal.Metadata.Method)
                .Select(method => native.Contains(method.ServiceName) ? method.FullName : method.ServiceName)
                .Distinct()
                .Order(StringComparer.Ordinal);
            Log.NativeDispatchNotProved(_logger, string.Join(", ", names), refused.Key);
        }
    }

    private NativeTable ReadFirst()
    {
        if (!IsOn)
        {
            return NativeTable.None;
        }

        // Before the number is taken: what changes from here on is looked at again.
        if (Interlocked.Exchange(ref _isWatching, 1) == 0)
        {
            try
            {
                Watch();
            }
            catch (Exception exception)
            {
                // Code of the application runs there. Another thread may have a table already, which is replaced.
                Log.NativeDispatchUnproved(_logger, exception);
                _isUnwatched = true;
            }
        }

        return ReadAgain();
    }

    private void Watch()
    {
        if (_walk.Value.Routed is { } routed)
        {
            ChangeToken.OnChange(routed.GetChangeToken, () => _ = ReadAgain());
            _services.GetService<IOptionsMonitor<HostFilteringOptions>>()?.OnChange(_ => ReadAgain());
            _services.GetService<IOptionsMonitor<RequestTimeoutOptions>>()?.OnChange(_ => ReadAgain());
        }
    }

    private NativeTable ReadAgain()
    {
        var version = Interlocked.Increment(ref _lastVersion);
        var table = _isUnwatched
            ? NativeTable.Empty(version)
            : Read(version, () => _walk.Value.Routed?.Endpoints ?? []).Table;
        lock (_gate)
        {
            if (_table is not { } present || present.Version < version)
            {
                _table = table;
                return table;
            }

            return present;
        }
    }

    private (NativeTable Table, IReadOnlyCollection<string> Unknown) Read(
        int version, Func<IReadOnlyList<Endpoint>> findEndpoints)
    {
        try
        {
            var pipeline = PipelineProof.Of(_walk.Value, _services);
            return (
                NativeTable.Of(version, findEndpoints(), pipeline, _services, MakeMethod), [.. pipeline.Unknown]);
        }
        catch (Exception exception)
        {
            // Code of the application has run: it builds endpoints, and services that middleware asks.
            Log.NativeDispatchUnproved(_logger, exception);
            return (NativeTable.Empty(version), []);
        }
    }
}
