using ScottPlot;
using SkiaSharp;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>A picture of a report.</summary>
/// <param name="Name">The name of its files, without a folder and an ending.</param>
/// <param name="Title">Its title.</param>
/// <param name="Note">An explanation for readers.</param>
/// <param name="Svg">The picture as lines and outlines, which is sharp at any size.</param>
/// <param name="Png">The picture as pixels, for documents that take no other.</param>
internal sealed record Chart(string Name, string Title, string Note, string Svg, byte[] Png)
{
    // Screens of phones and of many computers have two pixels where a picture has one.
    private const int PixelsPerUnit = 2;

    public static Chart Create(
        string name, string title, string note, int height, Action<SKCanvas, PixelRect> draw)
    {
        var area = new PixelRect(0, ChartStyle.Width, height, 0);
        return new Chart(name, title, note, DrawSvg(area, draw), DrawPng(area, draw));
    }

    private static string DrawSvg(PixelRect area, Action<SKCanvas, PixelRect> draw)
    {
        using var stream = new MemoryStream();
        using (var canvas = SKSvgCanvas.Create(new SKRect(0, 0, area.Width, area.Height), stream))
        {
            draw(canvas, area);
        }

        stream.Position = 0;
        return TextOutlines.Apply(stream, ChartFont.Typeface);
    }

    private static byte[] DrawPng(PixelRect area, Action<SKCanvas, PixelRect> draw)
    {
        using var surface = SKSurface.Create(
            new SKImageInfo((int)area.Width * PixelsPerUnit, (int)area.Height * PixelsPerUnit));
        surface.Canvas.Scale(PixelsPerUnit);
        draw(surface.Canvas, area);
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }
}
