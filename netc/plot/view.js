// The page of a picture: what is pointed at or chosen tells its numbers.
"use strict";

{
  const data = JSON.parse(document.getElementById("data").textContent);
  const told = (index) => tell(data, index);
  pictureOf(document.getElementById("picture"), data, { point: told, choose: told });
}
