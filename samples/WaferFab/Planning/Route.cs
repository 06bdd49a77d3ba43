namespace Samples.WaferFab.Planning;

/// <summary>The way of a wafer: out of the carrier, through both process tools, and back.</summary>
internal static class Route
{
    public const string LoadPort = "loadport";
    public const string Robot = "robot";
    public const string Etcher = "etcher";
    public const string Cleaner = "cleaner";

    public static IReadOnlyList<string> Tools { get; } = [LoadPort, Robot, Etcher, Cleaner];

    public static IReadOnlyList<RouteStep> Steps { get; } =
    [
        new(1, LoadPort, "pick", 3),
        new(2, Robot, "carry to the etcher", 4),
        new(3, Etcher, "etch", 16),
        new(4, Robot, "carry to the cleaner", 4),
        new(5, Cleaner, "clean", 12),
        new(6, Robot, "carry to the load port", 4),
        new(7, LoadPort, "store", 3),
    ];

    /// <summary>
    /// The load port's way out, the etcher, the cleaner, and the load port's way in. With one stage for both ways the
    /// fab could get stuck: a wafer on its way out would wait for a chamber whose wafer waits for the stage.
    /// </summary>
    public static IReadOnlyList<Place> Places { get; } = [new(1, 2), new(2, 4), new(4, 6), new(6, 7)];

    public static RouteStep Step(int number) => Steps[number - 1];
}
