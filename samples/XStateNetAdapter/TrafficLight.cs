using Newtonsoft.Json.Linq;

namespace Samples.XStateNetAdapter;

/// <summary>A small state machine: red, green, yellow, red; and dark on a command.</summary>
internal sealed class TrafficLight(string id) : IStateMachine
{
    private string _state = "red";

    public string Id => id;

    public Task<string> HandleAsync(string eventName, object? payload)
    {
        _state = (eventName, _state) switch
        {
            ("TIMER", "red") => "green",
            ("TIMER", "green") => "yellow",
            ("TIMER", "yellow") => "red",
            ("SET", _) when payload is JObject settings => settings.Value<string>("state") ?? "dark",
            ("FAIL", _) => throw new InvalidOperationException("The lamp is broken."),
            _ => _state,
        };
        return Task.FromResult(_state);
    }
}
