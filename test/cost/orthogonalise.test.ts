import { describe, expect, it } from "vitest";
import { orthogonalisationFlops } from "../../src/cost/orthogonalise.js";
import { LORA, SMALL, SPARSE } from "./small-shape.js";

/** Products of an n x m matrix, n < m, and of its Gram matrix, of which DeepSpeed's five iterations have 4 and 14. */
const gram = (n: number, m: number) => 4 * 2 * n * n * m + 14 * 2 * n ** 3;

describe("orthogonalised updates", () => {
  it("are of every matrix of a layer", () => {
    const attention = 2 * gram(10, 18) + 2 * gram(6, 10);
    const layer = attention + 3 * gram(7, 10);
    expect(orthogonalisationFlops(SMALL, null)).toBe(5 * layer);
    const sparse = 6 * 3 * gram(3, 10);
    expect(orthogonalisationFlops(SPARSE, null)).toBe(5 * attention + 3 * gram(7, 10) + 4 * sparse);
  });

  it("of a square matrix have no Gram matrix to gain from: three products in each of five iterations", () => {
    const square = { ...SMALL, heads: 1, kv_heads: 1, head_dim: 10 };
    const attention = 4 * 5 * 3 * 2 * 10 ** 3;
    expect(orthogonalisationFlops(square, null)).toBe(5 * (attention + 3 * gram(7, 10)));
  });

  it("are of both factors of adapters", () => {
    // Four matrices, whose factors are 2 wide and together 3 x 4 long.
    const lora = { ...LORA, widths: 12, matrices: { attention: 1, mlp: 1 } };
    const factors = [2, 4, 3, 3].reduce((sum, length) => sum + 8 * 4 * length, 0) + 4 * 28 * 8;
    expect(orthogonalisationFlops(SMALL, lora)).toBe(5 * factors);
  });
});
